"""Maritime trade on Yunhe: the electronic bill of lading, from the carrier's transport document to its surrender."""
