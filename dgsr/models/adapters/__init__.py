"""Named adapters over a frozen backbone: LoRA with a correction matrix that depends on the degradation."""
