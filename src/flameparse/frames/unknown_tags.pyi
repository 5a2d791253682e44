from flameparse.model.frame_table import FrameTable
from flameparse.model.string_table import StringTable

def unknown_tags(frames: FrameTable, strings: StringTable) -> dict[bytes, int]: ...
