"""How a head learns: what is known of the labels, what is lost, what is scored, and the experiments that compare."""
