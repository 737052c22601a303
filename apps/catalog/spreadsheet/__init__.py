"""Products as the rows of a spreadsheet, one a variant: exported, edited, imported."""
