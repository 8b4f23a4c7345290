"""Embedders by name; import the one you need, so that none drags in another's dependencies."""
