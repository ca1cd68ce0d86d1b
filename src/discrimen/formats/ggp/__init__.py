"""Raw blocks of the GGP digitizers of GALILEO and AGATA: the traces of a crystal at one time."""
