"""The hosts: ASGI, WSGI and Flask, each as thin as can be over one conversation."""
