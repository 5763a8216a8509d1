"""Every bound on files and requests of unknown origin, in one table that docs/reliability.md prints.

A bound is checked before the work that it bounds: dimensions before decoding, counts before anything is built. An input
over a bound is refused with one sentence. Targets: a refused input takes at most 200 MB of memory and 2 s of CPU, an
accepted one at most 700 MB. `studies/bombs.py` measures them.
"""

from __future__ import annotations


class Limit(int):
    """A bound with its unit and the reason for its value."""

    unit: str
    reason: str

    def __new__(cls, value: int, unit: str, reason: str) -> Limit:
        """Make the bound; it behaves as the integer `value`."""
        made = super().__new__(cls, value)
        made.unit, made.reason = unit, reason
        return made


# Files and names
MAX_FILE_BYTES = Limit(64 * 2**20, "bytes of a file", "a 16-bit radiograph of the most pixels, uncompressed, fits")
MAX_NAME_LENGTH = Limit(100, "characters of a name", "names stand on one line of a message, a screen or a report")

# Radiographs
MAX_PIXELS = Limit(36_000_000, "pixels of a radiograph or mask", "6000 x 6000; digitised films have up to 30 million")
MAX_SAMPLE_BYTES = Limit(288_000_000, "bytes of a TIFF's samples, decoded", "16-bit RGBA of the most pixels fits")
MAX_CHUNKS = Limit(20_000, "chunks of a PNG or WebP, or segments of a JPEG", "the largest files have some thousand")
MAX_JPEG_SCANS = Limit(64, "scans of a JPEG", "encoders write up to 12; each passes over all pixels")
MAX_PAGES = Limit(100, "pages of a TIFF that are looked at", "files of several images are refused")
MAX_TAG_BYTES = Limit(16 * 2**20, "bytes in the tags of a TIFF or of EXIF data", "offsets of the most tiles fit")
MAX_DICOM_ITEMS = Limit(20_000, "items in all sequences of a DICOM object", "a segmentation of 64 frames has hundreds")
MAX_DICOM_READS = Limit(200_000, "steps in which a DICOM header is read", "two for each element; headers have hundreds")
MAX_DICOM_VALUE_BYTES = Limit(256 * 2**10, "bytes of a DICOM value but pixels", "a lookup table of 65,536 entries fits")
MAX_DICOM_SEQUENCE_BYTES = Limit(2 * 2**20, "bytes of a DICOM sequence that is used", "fifteen lookup tables fit")
MAX_CODEC_BYTES = Limit(72_000_000, "bytes of samples in lossless JPEG and such", "16-bit grey of the most pixels fits")
MAX_DECODING_SECONDS = Limit(30, "seconds of a file in a process of its own", "large radiographs take one or two")
MAX_DECODING_BYTES = Limit(2 * 2**30, "bytes of memory of that process", "accepted files take up to 700 MB")
MAX_DECODERS = Limit(4, "processes that read uploads", "so that a few slow files do not keep others waiting")

# Masks
MAX_CASE_READERS = Limit(8, "masks of a radiograph in the viewer", "more outlines hide the radiograph")
MAX_FILE_READERS = Limit(64, "readers in a mask file", "more than any published set has for one radiograph")
MAX_MASK_PIXELS = Limit(288_000_000, "pixels of all masks in a file or request", "eight masks of the most pixels")
MAX_SEG_FRAMES = Limit(64, "frames of a DICOM segmentation", "one frame for each reader")
MAX_DRAWING_WORK = Limit(
    15_000_000_000,
    "pixels times edges of a file's shapes",
    "10 s of drawing; hostile shapes would take hours",
)
MAX_COORDINATE = Limit(1_000_000, "pixels from the origin to a coordinate", "far beyond any radiograph")
MAX_RUN_LENGTH_TEXT = Limit(3 * 2**20, "characters of compressed run lengths", "noise over one megapixel fits")
MAX_DRAWN_RUNS = Limit(8_000_000, "runs of all drawings in a request", "drawn masks have some thousand runs each")

# JSON and tables
MAX_JSON_MEMORY = Limit(
    128_000_000, "bytes that a JSON file's values take, estimated", "COCO of fifteen thousand radiographs takes half"
)
MAX_WIDE_JSON_BYTES = Limit(
    32 * 2**20,
    "bytes of a JSON file with characters beyond U+FFFF",
    "they may take five times as much memory",
)
MAX_TABLE_BYTES = Limit(32 * 2**20, "bytes of a table", "published tables have up to 10 MB")
MAX_TABLE_ROWS = Limit(200_000, "rows of a table", "the largest published table has 112,120")
MAX_TABLE_COLUMNS = Limit(1000, "columns of a table", "published tables have up to 40")
MAX_LINE_LENGTH = Limit(2**20, "characters of a line of a table", "published lines have some hundreds")

# Review
MAX_COMMENT_LENGTH = Limit(4000, "characters of a comment", "two pages of text")
MAX_CHANGES = Limit(100, "masks saved at once", "a case has some readers")
MAX_PATH_LENGTH = Limit(4096, "characters of a path", "the limit of Linux")
MAX_LISTED_FILES = Limit(40_000, "files that a page may list", "above the next limit, whose message is shown instead")
MAX_UPLOADED_FILES = Limit(4000, "files added to a work list at once", "larger sets are added on the command line")
MAX_UPLOADED_BYTES = Limit(4 * 2**30, "bytes added to a work list at once", "larger sets are added on the command line")
MAX_DOWNLOAD_BYTES = Limit(2 * 2**30, "bytes of radiographs in a download", "browsers hold it in memory")

# Exports of work lists
MAX_STATE_BYTES = Limit(512 * 2**20, "bytes of state.json", "ten thousand cases with ten versions take a tenth of it")
MAX_STATE_TEXT_LENGTH = Limit(100_000, "characters of a text in state.json", "comments have up to 4000")
MAX_STATE_CASES = Limit(500_000, "cases in state.json", "a hundred thousand cases are the largest list tried")
MAX_STATE_VERSIONS = Limit(100_000, "versions of masks, or of verdicts, in a case", "a case has some versions a reader")
MAX_MEMBERS = Limit(500_000, "files in a ZIP", "two files for each case of a large list")
MAX_UNPACKED_BYTES = Limit(256 * 2**30, "bytes of a ZIP, unpacked", "a large list with its radiographs")
MAX_UNPACKED_RATIO = Limit(200, "unpacked bytes for each byte of a ZIP", "JSON and CSV shrink up to 50 times")
MIN_RATIO_BYTES = Limit(64 * 2**20, "unpacked bytes from which the ratio counts", "small files may have any ratio")
MAX_MEMBER_LIST_BYTES = Limit(64 * 2**20, "bytes of a ZIP's list of files", "the most files have 50 MB")

# Requests and visitors
MAX_BODY_BYTES = Limit(32 * 2**20, "bytes of a request in JSON", "drawings with the most runs that people draw fit")
MAX_TOOL_BYTES = Limit(128 * 2**20, "bytes of a call of an MCP tool", "a radiograph in base64 with its masks fits")
MAX_UPLOAD_BYTES = Limit(4 * 2**30, "bytes of all files of one upload", "as many as are added to a work list at once")
MAX_LOGIN_BYTES = Limit(64 * 2**10, "bytes of a login", "a name and a password")
MAX_LOGINS = Limit(10, "logins that an address may try in a minute", "nobody mistypes a password more often")
MAX_LOGIN_ADDRESSES = Limit(10_000, "addresses whose logins are counted", "a megabyte of memory")
MAX_WAITING = Limit(32, "calls that wait in line", "whoever comes later is told that the server is busy")
MAX_PAGE_EVENTS = Limit(16, "unanswered events of a page", "a held arrow key makes some before the first answer")
MAX_SESSIONS = Limit(500, "pages whose drop-downs the server remembers", "a tenth of a megabyte each; the latest stay")
MAX_UPLOADS_BYTES = Limit(4 * 2**30, "bytes of an address's uploads", "several hundred radiographs until the sweep")
MIN_UPLOAD_BYTES = Limit(64 * 2**10, "bytes that even an empty upload counts", "folders and names take room too")
MIN_FREE_BYTES = Limit(2**29, "bytes of the disk that stay free", "the system and running answers need some")
MAX_LISTS = Limit(1000, "pages' own work lists at a time", "a list with its thumbnails takes a few megabytes")
MAX_VISITOR_LISTS = Limit(64, "pages' own work lists of an address", "a class behind one router has as many")
MAX_LISTS_BYTES = Limit(4 * 2**30, "bytes of an address's own work lists", "a thousand radiographs")
MAX_FETCH_SECONDS = Limit(30, "seconds to fetch a public file for an MCP tool", "large radiographs take a few")

# Teaching cases
MAX_LESSON_LENGTH = Limit(2000, "characters of a text in cases.json", "a page of text")
MAX_LESSON_CASES = Limit(1000, "teaching cases in a folder", "a course has some dozens")
MAX_LESSON_READERS = Limit(100, "readers of a teaching case", "a case has some readers")


def table() -> str:
    """All limits as a table in Markdown: name, value, unit and reason."""
    rows = [(name, limit) for name, limit in globals().items() if isinstance(limit, Limit)]
    lines = [f"| `{name}` | {limit:,} | {limit.unit} | {limit.reason} |" for name, limit in rows]
    return "\n".join(["| limit | value | of what | why this value |", "|---|---|---|---|", *lines]) + "\n"
