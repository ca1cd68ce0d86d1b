"""CAEN CoMPASS: binary, CSV and ROOT files, and the settings.xml beside them."""
