"""GEB streams of GRETINA and GRETA: traces of whole crystals (type 100), of channels (mode 3), positions (mode 2)."""
