"""Every error that a user can see, in one place.

DeepPneumoniaError
├── RadiographError            a file that cannot be decoded as a radiograph
│   ├── UnreadableFileError    missing, unreadable or empty
│   ├── NotARadiographError    not an image in a supported format, or a damaged one
│   ├── TooLargeError          more bytes or pixels than allowed
│   └── UnsupportedDicomError  a DICOM object that is not one greyscale frame
├── AnnotationError            a mask or annotation file that cannot be read
│   ├── MaskSizeError          a mask that differs in size from its radiograph
│   ├── UnknownMaskError       an annotation file that does not say whether anybody looked at a radiograph
│   ├── NotATableError         not a table with the expected columns
│   └── TooLargeAnnotationError  more bytes or values than allowed
├── PreparationError           a raw data set that lacks a part
├── ManifestError              a manifest.csv that contradicts itself
├── CheckpointError            a checkpoint that cannot be loaded
│   ├── DamagedCheckpointError a file is missing, cut short or altered
│   ├── ForeignCheckpointError not a checkpoint of this package
│   ├── NewerCheckpointError   written by a newer format than this package knows
│   └── HubError               the Hugging Face Hub has none, refuses, or cannot be reached
├── SimulationError            a chest CT that cannot be rendered, or cases that cannot be simulated
├── CasesError                 a folder of teaching cases that cannot be read
├── ExplanationError           an explanation that is not available for a radiograph
├── WorkspaceError             a work list that cannot be used, or a case that it does not have
│   ├── ConflictError          another person changed the same mask or verdict first
│   └── ExchangeError          an export that cannot be written or imported
├── LimitError                 more of the server than one visitor may have; try again later
└── TrainingError              a run that cannot start or resume

Each message is one plain sentence that says what was found, what was expected and what to do.
"""


class DeepPneumoniaError(Exception):
    """Base of all errors of this package. Its text can be shown to a user unchanged."""


class RadiographError(DeepPneumoniaError):
    """A file cannot be decoded as a radiograph."""


class UnreadableFileError(RadiographError):
    """The file is missing, empty or not readable."""


class NotARadiographError(RadiographError):
    """The bytes are not an image in a supported format, or the image is damaged."""


class TooLargeError(RadiographError):
    """The file has more bytes or pixels than allowed."""


class UnsupportedDicomError(RadiographError):
    """The DICOM object does not hold exactly one frame that can be decoded."""


class AnnotationError(DeepPneumoniaError):
    """A mask or annotation file cannot be read."""


class MaskSizeError(AnnotationError):
    """A mask differs in size from its radiograph."""


class UnknownMaskError(AnnotationError):
    """An annotation file has no drawing for a radiograph and does not say that it was read as normal."""


class NotATableError(AnnotationError):
    """The file is not a table with the expected columns."""


class TooLargeAnnotationError(AnnotationError):
    """An annotation file holds more bytes or values than allowed."""


class PreparationError(DeepPneumoniaError):
    """A raw data set lacks a part or differs from its publisher's layout."""


class ManifestError(DeepPneumoniaError):
    """A manifest.csv lacks a column, names a missing file or puts one patient into two splits."""


class CheckpointError(DeepPneumoniaError):
    """A checkpoint cannot be loaded."""


class DamagedCheckpointError(CheckpointError):
    """A file of the checkpoint is missing, cut short or altered."""


class ForeignCheckpointError(CheckpointError):
    """The folder is not a checkpoint of this package, or of another architecture."""


class NewerCheckpointError(CheckpointError):
    """The checkpoint was written in a newer format than this package knows."""


class HubError(CheckpointError):
    """The Hugging Face Hub has no such repository or revision, refuses an upload, or cannot be reached."""


class TrainingError(DeepPneumoniaError):
    """A run cannot start, or cannot resume with the given options."""


class CasesError(DeepPneumoniaError):
    """A folder of teaching cases lacks a part, or its cases.json is damaged."""


class ExplanationError(DeepPneumoniaError):
    """The explanation is not available for this radiograph, these checkpoints and these readers."""


class SimulationError(DeepPneumoniaError):
    """The chest CT is missing or damaged, or cases cannot be simulated with the given options."""


class WorkspaceError(DeepPneumoniaError):
    """A work list cannot be opened, does not have a case, or cannot keep what it was given."""


class ConflictError(WorkspaceError):
    """Another person changed the same mask or verdict first."""


class ExchangeError(WorkspaceError):
    """A work list cannot be exported, or the archive to import is not an export, damaged or unsafe."""


class LimitError(DeepPneumoniaError):
    """A visitor asks for more of the server than one may have, or the server has no more to give now."""
