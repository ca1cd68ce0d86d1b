"""NumPy arrays: .npy and .npz."""
