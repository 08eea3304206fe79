"""What `make shake` puts on the path of the kernels it starts."""
