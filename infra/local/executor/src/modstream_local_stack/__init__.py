"""LocalStack without Docker.

A ``bootstrap`` of a ``provided.*`` function runs as a plain process. Everything a stack starts is in
one session, so that it can be found and ended as a whole.
"""
