"""Online 3D scene understanding for robots: RGB-D frames in, a living scene that answers questions out.

Importing this package needs no ROS and loads no model. `magic3d_ros.pipeline` is the place to start reading.
"""

from pkgutil import extend_path

# An editable install keeps the generated msg/ and srv/ in site-packages, beside this checkout.
__path__ = extend_path(__path__, __name__)

__version__ = "0.1.0"
