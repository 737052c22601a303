"""`make demo`: the whole shop on this machine, and one order bought in front of your eyes."""
