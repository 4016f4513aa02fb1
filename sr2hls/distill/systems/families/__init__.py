"""One force law a file, each with a tuple `SYSTEMS`; adding a file adds its systems."""
