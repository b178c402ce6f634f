"""Turn an image into a lesion mask, by an ensemble of networks or another tool."""
