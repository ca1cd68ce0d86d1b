"""Binary files of DRS4 evaluation boards (`.dat` of DRSOsc)."""
