#!/bin/sh
# Installs discrimen into an image of Debian 12: used by the Apptainer definitions and by the Dockerfile.
# Arguments: the folder of the source, where to install, the extras. What is needed only for building is removed again.
set -eu

source=${1:?the folder of the source}
prefix=${2:?the folder to install into}
extras=${3:?extras, as root,parquet}

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv
needed=$(apt-mark showmanual)
apt-get install --yes --no-install-recommends g++ make python3-dev

# A copy of a working tree may hold what was built for another machine.
find "$source" -name '*.so' -delete
find "$source" -name __pycache__ -prune -exec rm -r {} +

# Compiles the engine for GPUs, if these are wanted; what it makes needs the driver alone.
case ",$extras," in *,cuda,*)
    python3 -m venv /opt/nvcc
    /opt/nvcc/bin/pip install --no-cache-dir --no-compile --disable-pip-version-check 'nvidia-cuda-nvcc==13.0.*' \
      'nvidia-cuda-runtime==13.0.*' 'nvidia-nvvm==13.0.*' 'nvidia-cuda-crt==13.0.*' 'nvidia-cuda-cccl==13.0.*'
    toolkit=$(echo /opt/nvcc/lib/python3*/site-packages/nvidia/cu13)
    ln -s lib "$toolkit/lib64"
    export CUDACXX="$toolkit/bin/nvcc" SKBUILD_CMAKE_DEFINE=DISCRIMEN_CUDA=ON
    ;;
esac

python3 -m venv "$prefix"
"$prefix/bin/pip" install --no-cache-dir --no-compile --disable-pip-version-check \
  --constraint "$source/constraints.txt" "${source}[$extras]"
"$prefix/bin/pip" uninstall --yes --quiet pip setuptools

apt-mark auto '.*' > /dev/null
apt-mark manual $needed > /dev/null
apt-get autoremove --yes --purge
apt-get clean
rm -rf "$source" /opt/nvcc /var/lib/apt/lists/* /root/.cache

"$prefix/bin/discrimen" --version
