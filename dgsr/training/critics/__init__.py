"""Critics: what tells the generator how real its images look."""
