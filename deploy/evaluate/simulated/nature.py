"""Every number of the simulated fleet, once, with where it comes from. `docs/simulated.md` has the table.

[ur3], [armpi] and [nasa] are measured by `measured.py` on the real recordings. [assumed] is shown by no recording
that we have. What was changed after detectors were first run is told there too. Called by the files beside it.
"""

from typing import NamedTuple

EPOCH_S = 600
EPOCHS_A_DAY = 144


class Between(NamedTuple):
    """Drawn evenly between two values."""

    low: float
    high: float


# Scatter of the mean over ten minutes, of its value, by joint: lognormal, within what was seen. [ur3]
NOISE_MEDIAN, NOISE_SPREAD, NOISE = 0.0416, 0.7, Between(0.02, 0.12)
# How far the tails are out: kurtosis 4.5 of the worst joint is that of Student's t with 8. [ur3]
TAIL_FREEDOM = 8
# Epochs in which something else went on, and how many times the scatter they have: with it the kurtosis is 5.2, a
# little more than the UR3's worst joint. [ur3: up to 0.8 % of cycles are beyond four robust deviations]
OUTLIER_SHARE, OUTLIER_TIMES = 0.002, 3.0
TRACKING_NOISE = 0.092  # [armpi] trajectories
SENSOR_NOISE = 0.01  # [assumed] of current and torque, on top of what the work does
# A slow wander of each level, of its value: the first and the last cycles of a day differ by 0 to 2 %. [ur3]
WANDER, WANDER_DAYS = 0.015, 3.0
STOPPED_SHARE = 0.0378  # of working time in protective stops [ur3]
OFFLINE_SHARE = 0.002  # [assumed] epochs of which nothing arrives; blank rows (0.7 %) vanish in a mean [ur3]

TAU_S = Between(1630, 2290)  # [ur3]
RISE_C = Between(9.3, 25.0)  # by working: 9 to 12 [ur3], motors at 46 to 50 in a room of 25 [armpi]
POWERED_C = Between(3, 8)  # [assumed] standing, with power on: UR3 joints begin at 28 to 32 °C
TEMPERATURE_NOISE_C = 0.045  # [ur3]
RESOLUTIONS_C = (0.0625, 1.0)  # [ur3], [armpi]: half of the robots each
FRICTION_BY_C = -0.015  # of the friction; a third of the torque is friction, so -0.5 % a °C [ur3: -0.9 to +0.4]
JUNK_SHARE = 1.2e-5  # readings that are wrong and still possible [armpi: two jumps in 167 538]
JUNK_C = 100.0

# Work: programs change, and with them the speed and the load of every joint. A motor's median temperature differs
# by 3 to 9 °C between sessions [armpi], which is a scatter of the load by 15 % at a rise of 20 °C.
PROGRAM_DAYS = 7.0  # [assumed]
LOAD_SPREAD = 0.15
SPEED_SPREAD = 0.15  # [assumed] as the load
FRICTION_SHARE = 0.33  # [assumed] of a joint's torque
HOLD_SHARE = 0.4  # [assumed] torque of standing still, of that of working

# How joints and robots of one model differ; relative. [nasa: cells by 5 % when new; else assumed]
OWN_FRICTION, OWN_RISE, OWN_MOTOR, OWN_TRACKING, OWN_VIBRATION = 0.15, 0.10, 0.03, 0.20, 0.25
BACKLASH_ARCMIN = Between(0.6, 1.4)  # catalogue: 0.5 to 2
WEAR_NEW = Between(0.0, 0.3)
LIFE_H = Between(25_000, 60_000)  # as `ingest/traits.py`
BACKLASH_NOISE, ACCURACY_NOISE = 0.03, 0.05  # [assumed]

# Sites and weather [assumed]: halls that follow the season a little.
SITES = 4
SITE_C, SEASON_C, DAY_C = Between(18, 24), 4.0, 2.5
WEATHER_C, WEATHER_DAYS = 1.2, 2.0
PLACE_C, AMBIENT_NOISE_C = 1.5, 0.1
WAVE_C, WAVE_DAYS = 8.0, 5.0

# Shifts [assumed]: one, two or three a day; the recordings show a stop of five hours in a day. [ur3]
SHIFT_SHARES = (0.3, 0.4, 0.3)
WEEKEND_SHARE = 0.6
SWITCHED_OFF_SHARE = 0.5  # robots that are switched off after their shift, and send nothing
WORK_H, CHARGE_H = Between(3.5, 4.5), Between(0.9, 1.3)

# Battery. Scatter, regenerations and differences [nasa]; fade by cycle [assumed]: a fifth in 2 000 to 4 000 cycles,
# so that what is called healthy does not reach its limit meanwhile (the NASA cells were aged in weeks: 0.25 % a
# cycle).
SOH_NEW = Between(0.93, 1.0)
FADE_A_CYCLE = Between(0.00005, 0.0001)
SOH_NOISE, SOH_MEMORY = 0.005, 0.57
REGENERATION_CYCLES, REGENERATION, REGENERATION_KEPT = 24.0, 0.017, 0.7
RESISTANCE_MOHM = Between(40, 70)
RESISTANCE_BY_C, RESISTANCE_NOISE = -0.006, 0.01  # [assumed]
SPREAD_MV, SPREAD_EMPTY_MV, SPREAD_NOISE_MV = Between(8, 18), 6.0, 0.7  # [assumed]
BATTERY_RISE_C, BATTERY_TAU_S = (
    5.0,
    2600.0,
)  # [assumed] at 10 A; NASA's bare cells: 17 at a current that empties them in 2 h
