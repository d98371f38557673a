"""From an analysis and a person's answers to sourced information: guideline tables, the filter, the lines."""
