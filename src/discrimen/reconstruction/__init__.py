"""What auto-encoders make of the pulses of run files: denoised ones."""
