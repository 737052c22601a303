"""How late the workers of the convergence test are, in seconds."""

LATENESS = 2.5  # to hear of a new index
SLOWNESS = 1.0  # between reading a product and writing it
# After which nobody writes any more who does not know the index.
AT_LAST = LATENESS + SLOWNESS
