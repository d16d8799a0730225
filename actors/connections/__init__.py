"""The connections: the one port, each client on it, and who watches over all of them."""
