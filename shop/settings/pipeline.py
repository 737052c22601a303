"""Celery's settings, each with its reason. The queues themselves: shop/topology.py."""

from shop.settings.env import env_url
from shop.topology import UNROUTED_QUEUE, WORK_QUEUES

CELERY_BROKER_URL = env_url("CELERY_BROKER_URL", schemes={"amqp", "amqps", "redis", "rediss"})
_AMQP = CELERY_BROKER_URL.startswith("amqp")
# For what AMQP cannot ask: how long a queue is (Flower), what is bound to it.
RABBITMQ_MANAGEMENT_URL = env_url(
    "RABBITMQ_MANAGEMENT_URL", schemes={"http", "https"}, default=""
)

# Named here and not discovered, so that a worker that cannot import one does not start.
CELERY_IMPORTS = ("tasks.order_pipeline", "tasks.email", "tasks.maintenance", "tasks.search")
CELERY_TASK_QUEUES = WORK_QUEUES
# A typo raises QueueNotFound instead of making a queue that nobody reads.
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = CELERY_TASK_DEFAULT_ROUTING_KEY = "order.process"
CELERY_TASK_DEFAULT_EXCHANGE = "shop"
CELERY_TASK_DEFAULT_EXCHANGE_TYPE = "topic"
CELERY_TASK_ROUTES = {
    "tasks.order_pipeline.*": {"queue": "order.process"},
    "tasks.email.*": {"queue": "email.send_order_confirmation"},
    "tasks.search.*": {"queue": "search.index_product"},
    "tasks.maintenance.*": {"queue": "shop.maintenance"},
    "celery.backend_cleanup": {"queue": "shop.maintenance"},
}

# Acknowledge after the work and after the next step of the chain is published.
CELERY_TASK_ACKS_LATE = True
# A killed child puts its message back; without it the message counts as failed.
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# What gave up is refused, so that RabbitMQ keeps it in `<queue>.dead`, its chain intact.
CELERY_TASK_ACKS_ON_FAILURE = False
# Celery's default acknowledges a task that met its hard time limit: lost.
CELERY_TASK_ACKS_ON_TIMEOUT = False
# A worker publishes only the next step of a chain, and retries. The second attempt is for a
# connection that died while nobody used it; ShopTask knows what to do after that. Measured,
# with the timeouts below, on a broker that is frozen or under an alarm: 12 s until it gives
# up on RabbitMQ, two attempts and two closings of 3 s each; 10 s on Redis.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}
# Seconds. Far below the broker's own consumer_timeout of 30 minutes.
# The second also ends what hangs while a worker is told to end: seen once in a hundred and
# thirty times, under load, its last task done and its result never taken.
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT = 20, 25
# Nothing waits inside a worker, so no innocent message gathers delivery counts.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"

# Failures only: a stored success costs 2 to 4 ms, and no code reads a result.
CELERY_RESULT_BACKEND = "tasks.results:ResultBackend"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = True
CELERY_RESULT_EXPIRES = 30 * 24 * 3600

CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # never give up on the broker
CELERY_BROKER_HEARTBEAT = 10  # seconds
CELERY_BROKER_TRANSPORT_OPTIONS = (
    # Without confirms a message under an alarm is lost silently; the two timeouts (seconds)
    # are the only bound that was found on a frozen broker.
    {"confirm_publish": True, "read_timeout": 3, "write_timeout": 3}
    if _AMQP
    # Seconds. A message is delivered again after the first, so it must be above the longest
    # task and the longest wait of a retry: 240 s, of an e-mail.
    else {"visibility_timeout": 300, "socket_timeout": 5, "socket_connect_timeout": 3}
    # Where RabbitMQ's alternate exchange puts what was sent with a wrong key.
    | {"deadletter_queue": UNROUTED_QUEUE.name}
)
# RabbitMQ 4.3 refuses queues that are neither durable nor exclusive, and a prefetch for a whole
# channel. A receiver of events has a new name each time, so its queue may be exclusive. A
# worker's own queue for remote control keeps its name: were it exclusive, a worker that
# reconnects before the broker has missed the old connection would end.
CELERY_EVENT_QUEUE_EXCLUSIVE = True
CELERY_CONTROL_QUEUE_DURABLE = _AMQP
CELERY_CONTROL_QUEUE_EXCLUSIVE = not _AMQP
CELERY_WORKER_DETECT_QUORUM_QUEUES = True
# Events feed Flower.
CELERY_WORKER_SEND_TASK_EVENTS = CELERY_TASK_SEND_SENT_EVENT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Refuses what no task can be made of; Celery's own loses some of it, and dies of some.
CELERY_WORKER_CONSUMER = "tasks.consumer:ShopConsumer"
# Keep database connections between tasks; ShopTask checks that they are alive.
CELERY_DB_REUSE_MAX = 1000
