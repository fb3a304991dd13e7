"""Reasons that answer rules of several tools."""

PUBLIC = (
    "Public by its row in cdk/services, or signed by a provider; CloudFront and the firewall stand before it."
)
FILES = (
    "Pictures are public and never change under their address, exports last days: nothing to log or restore."
)
PICTURES = "Public files that never change under their address: no input to filter, nothing worth a log."
NAME = "Under CloudFront's own name AWS chooses the certificate and its protocols; with a domain it is TLSv1.2_2021."
HISTORY = "CloudTrail signs what it writes; reading needs the stack's key, whose uses are in the trail."
ACCESS = "The API's access log has a line for each request; what the firewall refuses is counted by rule."
INSIGHTS = "CloudWatch's figures have what the alarms need; a cluster has Performance Insights, too."
ONE_MACHINE = "Dev has one machine and a day of backups: its data is nobody's, and it costs a tenth."
DELETABLE = "Only a stage whose data is somebody's refuses to be deleted: prod does."
USUAL_PORT = "Another port protects nothing: the proxies alone reach it."
DEPLOYING = "The CDK's own: it runs while a stack is deployed, calls AWS alone, and needs nothing in the VPC."
