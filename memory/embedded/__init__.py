"""Qdrant's REST interface, in part, over Qdrant's own in-process engine: the vector store of a laptop.

The product always talks to Qdrant through its client; with this in place, no server needs to be installed to do so, and
a server is only another URL. What the product does not use is answered with 501.
"""
