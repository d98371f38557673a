"""Lesion masks by a U-Net with Dice loss, the recipe of the lesion segmentation service."""
