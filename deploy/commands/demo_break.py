"""`robovitals demo break ROBOT`: break a simulated robot on demand, or all of them, to watch an alert travel."""

import argparse
import time

from deploy.settings import Settings
from ingest.faults import all_robots, break_robots, find_robot, heal_robots
from ingest.fleet import Fault

HELP = "break a simulated robot, or all of them, or heal them"
EXAMPLE = "robovitals demo break 7 --fault battery"

# What only shows in weeks is not for breaking: `ingest/stories.py` begins it in the past.
WHAT_FOLLOWS = {
    Fault.OVERHEAT: "one joint passes 90 °C within about 5 s: a crossing, and an episode at once",
    Fault.BACKLASH: "one joint's backlash is twelve times what it was, with more tracking error and vibration: "
    "a crossing, and an episode at once",
    Fault.BATTERY: "state of health 0.74 and a cell spread above 150 mV: two episodes",
    Fault.SILENT: "it sends nothing more: UNKNOWN after 45 s (silence, a window and its grace)",
    Fault.CLOCK: "its clock goes an hour ahead: its frames land, but do not move the watermark",
    Fault.WARM: "one joint stands at 84 °C: a warning with the second window, within 30 s",
    Fault.HOT_PACK: "its battery stands at 48 °C: a warning with the second window, within 30 s",
    Fault.RELEASE: "new software that gets a joint's backlash, the state of health and the cell spread wrong",
}
ALL = "all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "robot", metavar="ROBOT", help="its number, its code, or a unique beginning or end of it; or `all`"
    )
    parser.add_argument(
        "--fault", choices=[f.value for f in WHAT_FOLLOWS], default=Fault.OVERHEAT.value, help="default: overheat"
    )
    parser.add_argument("--heal", action="store_true", help="end all its faults instead")


def run(args: argparse.Namespace, settings: Settings) -> int:
    everybody = args.robot == ALL
    robots = all_robots(settings.home) if everybody else [find_robot(settings.home, args.robot)]
    codes = [robot.code for robot in robots]
    who = f"all {len(codes)} robots" if everybody else codes[0]
    if args.heal:
        heal_robots(settings.home, codes)
        print(f"{who}: healing; a hot joint cools within minutes")
        return 0
    fault = Fault(args.fault)
    break_robots(settings.home, codes, fault, time.time_ns() // 1000)
    print(f"{who}: {WHAT_FOLLOWS[fault]}")
    print("watch it: robovitals alarms" if everybody else f"watch it: robovitals robot show {codes[0]}")
    return 0
