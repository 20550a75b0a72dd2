"""tinygrad's engine room: what programs import of it."""
