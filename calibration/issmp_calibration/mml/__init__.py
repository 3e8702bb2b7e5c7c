"""Marginal maximum likelihood: from coded answers to item parameters and their standard errors."""
