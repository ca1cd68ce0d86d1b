"""All steps from run folders to named pulses: a small file of wishes, a plan of commands, what is done of it.

``wishes`` is the file, ``run_files`` finds the runs it names, ``plan`` says which commands follow from both, ``record``
knows which of them are done, ``carry_out`` does the others, and ``page`` shows it all.
"""
