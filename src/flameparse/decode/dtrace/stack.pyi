from typing import final

from flameparse.model.profile import Profile

@final
class DTraceStack:
    profile: Profile
    def __new__(cls, profile: Profile, *, tells_kernel: bool) -> DTraceStack: ...
