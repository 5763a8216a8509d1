"""Every error that a person can meet, drawn in one place.

DeepPneumoniaError
├── RadiographError            a file that cannot become a radiograph
│   ├── UnreadableFileError    missing, unreadable, empty
│   ├── NotARadiographError    not a picture in a supported format, or a damaged one
│   ├── TooLargeError          more bytes or pixels than allowed
│   └── UnsupportedDicomError  a DICOM object without exactly one greyscale frame
├── AnnotationError            a mask or an annotation file that cannot be read
│   └── MaskSizeError          a mask whose size is not its radiograph's
├── PreparationError           a raw data set with a part missing
├── ManifestError              a manifest.csv that contradicts itself
├── CheckpointError            a checkpoint that cannot be loaded
│   ├── DamagedCheckpointError a file is missing, cut short or altered
│   ├── ForeignCheckpointError not a checkpoint of this package
│   ├── NewerCheckpointError   written by a newer format than this package knows
│   └── HubError               the Hugging Face Hub has none, refuses, or cannot be reached
├── SimulationError            a chest CT that cannot be rendered, or cases that cannot be simulated as asked
├── CasesError                 a folder of teaching cases that cannot be read
├── ExplanationError           an explanation that a radiograph does not have
├── WorkspaceError             a workspace that cannot be used, or a case that it does not have
│   ├── ConflictError          somebody else changed the same mask or verdict first
│   └── ExchangeError          an export that cannot be written, or one that cannot be imported
└── TrainingError              a run that cannot start or resume as asked

The text of each is one plain sentence: what was got, what was expected, what to do.
"""


class DeepPneumoniaError(Exception):
    """Base of all errors of this package; its text may be shown to a person as it is."""


class RadiographError(DeepPneumoniaError):
    """A file cannot become a radiograph."""


class UnreadableFileError(RadiographError):
    """The file is missing, empty or not readable."""


class NotARadiographError(RadiographError):
    """The bytes are not a picture in a supported format, or the picture is damaged."""


class TooLargeError(RadiographError):
    """The file has more bytes or pixels than allowed."""


class UnsupportedDicomError(RadiographError):
    """The DICOM object does not hold exactly one greyscale frame that can be decoded."""


class AnnotationError(DeepPneumoniaError):
    """A mask or annotation file cannot be read."""


class MaskSizeError(AnnotationError):
    """A mask has another size than its radiograph."""


class PreparationError(DeepPneumoniaError):
    """A raw data set lacks a part or contradicts its publisher's layout."""


class ManifestError(DeepPneumoniaError):
    """A manifest.csv lacks a column, names a missing file or splits a patient."""


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
    """A run cannot start, or cannot resume with what was asked."""


class CasesError(DeepPneumoniaError):
    """A folder of teaching cases lacks a part, or its cases.json is damaged."""


class ExplanationError(DeepPneumoniaError):
    """There is no such explanation of this radiograph, with these checkpoints and readers."""


class SimulationError(DeepPneumoniaError):
    """The chest CT is missing or damaged, or cases cannot be simulated as asked."""


class WorkspaceError(DeepPneumoniaError):
    """A workspace cannot be opened, or has no such case; or what it was given cannot be kept."""


class ConflictError(WorkspaceError):
    """Somebody else changed the same mask or verdict first."""


class ExchangeError(WorkspaceError):
    """A work list cannot be exported there, or what should be imported is no export, damaged or hostile."""
