"""Random models and pictures, and what the command makes of them (random_models.py)."""
