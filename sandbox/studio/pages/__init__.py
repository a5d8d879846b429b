"""The pages of the studio, a file each; ``app.py`` lists them."""
