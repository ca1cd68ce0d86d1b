"""Files of FASTER (`.fast`), the acquisition of LPC Caen."""
