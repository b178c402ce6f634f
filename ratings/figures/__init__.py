"""Figures of an analysis, each as SVG, PNG, CSV of what is plotted, and caption."""
