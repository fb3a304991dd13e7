"""Who may do what on this machine: the roles and policies of the template, decided as IAM would within one account.

`policy` is the language, `grants` what the templates say in it, `calls` what a call needs, `gate` the decision and the
record of what was denied.
"""
