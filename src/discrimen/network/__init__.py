"""What a trained model is, as plain data: preparation, classes, thresholds, provenance. No Keras here."""
