"""A set of orders made unattended from anyone's clips, each answer judged by what the factory did not write itself."""
