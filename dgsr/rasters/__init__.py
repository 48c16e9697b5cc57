"""Read and write image files with their bit depth, transparency and colour profile."""

from dgsr.rasters.png import write_png
from dgsr.rasters.raster import ANY_SIZE, SUFFIXES, Raster, expect_ending, read_raster, read_size, write_raster

__all__ = ["ANY_SIZE", "SUFFIXES", "Raster", "expect_ending", "read_raster", "read_size", "write_png", "write_raster"]
