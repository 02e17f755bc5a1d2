"""`robovitals demo break ROBOT`: break a simulated robot on demand, or heal it, to watch an alert travel."""

import argparse
import time

from deploy.settings import Settings
from ingest.faults import break_robot, find_robot, heal_robot
from ingest.fleet import Fault

HELP = "break a simulated robot, or heal it"
EXAMPLE = "robovitals demo break 7 --fault battery"

WHAT_FOLLOWS = {
    Fault.OVERHEAT: "one joint passes 90 °C within about 5 s: a crossing, and an episode at once",
    Fault.BACKLASH: "one joint's backlash is twelve times what it was, with more tracking error and vibration: "
    "a crossing, and an episode at once",
    Fault.BATTERY: "state of health 0.74 and a cell spread above 150 mV: two episodes",
    Fault.SILENT: "it sends nothing more: UNKNOWN after 45 s (silence, a window and its grace)",
    Fault.CLOCK: "its clock goes an hour ahead: its frames land, but do not move the watermark",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("robot", metavar="ROBOT", help="its number, its code, or a unique beginning or end of it")
    parser.add_argument(
        "--fault", choices=[f.value for f in Fault], default=Fault.OVERHEAT.value, help="default: overheat"
    )
    parser.add_argument("--heal", action="store_true", help="end all its faults instead")


def run(args: argparse.Namespace, settings: Settings) -> int:
    member = find_robot(settings.home, args.robot)
    if args.heal:
        heal_robot(settings.home, member.code)
        print(f"{member.code} heals; a hot joint cools within minutes")
        return 0
    fault = Fault(args.fault)
    break_robot(settings.home, member.code, fault, time.time_ns() // 1000)
    print(f"{member.code}: {WHAT_FOLLOWS[fault]}\nwatch it: robovitals robot {member.code}")
    return 0
