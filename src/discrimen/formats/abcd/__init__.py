"""Files and messages of ABCD, the acquisition of the Joint Research Centre."""
