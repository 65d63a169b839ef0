"""Model parts: tensors in, tensors out. No file, no setting, no name of a tag lives here."""
