"""`keras.callbacks`: code that looks into training while it runs."""

from hornbeam.core.faces import missing_names
from hornbeam.keras.callbacks.backup_and_restore import BackupAndRestore
from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.callback_list import CallbackList
from hornbeam.keras.callbacks.csv_logger import CSVLogger
from hornbeam.keras.callbacks.early_stopping import EarlyStopping
from hornbeam.keras.callbacks.history import History
from hornbeam.keras.callbacks.lambda_callback import LambdaCallback
from hornbeam.keras.callbacks.learning_rate_scheduler import LearningRateScheduler
from hornbeam.keras.callbacks.model_checkpoint import ModelCheckpoint
from hornbeam.keras.callbacks.progbar_logger import ProgbarLogger
from hornbeam.keras.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from hornbeam.keras.callbacks.swap_ema_weights import SwapEMAWeights
from hornbeam.keras.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TerminateOnNaN",
]

__getattr__ = missing_names(__name__)
