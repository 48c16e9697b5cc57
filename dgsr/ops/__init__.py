"""Pure tensor functions on images, without hidden randomness, modules or device placement."""
