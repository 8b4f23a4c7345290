"""The provider `pigeonhole`."""
