"""Files of AGATA's data flow (ADF): keys, composite frames, and the interaction points of the search (data:psa)."""
