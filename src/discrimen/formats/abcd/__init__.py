"""List mode of ABCD, the acquisition of the Joint Research Centre."""
