"""Pure tensor functions on images: no draws of their own, no modules, no choice of device."""
