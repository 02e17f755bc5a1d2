"""Grafana dashboards as code: what they show is in `fleet.py`, `robot.py` and `pipeline.py`, how it is drawn in
`panels.py`, and their queries in `queries/`. `make reference` writes `dashboards/`, which Grafana reads.
"""

from deploy.grafana import fleet, pipeline, robot
from deploy.grafana.panels import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (fleet.DASHBOARD, robot.DASHBOARD, pipeline.DASHBOARD)
